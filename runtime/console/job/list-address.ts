/** Where one comes back to: the list of jobs as one has seen it last, with its filter. */
export const listAddress = (): string => {
  // Not every browser tells its history.
  const { navigation } = globalThis as {
    navigation?: {
      entries(): { url: string | null; index: number }[]
      currentEntry: { index: number } | null
    }
  }
  const now = navigation?.currentEntry?.index ?? 0
  const before = navigation?.entries().findLast(({ url, index }) => index < now && LIST.test(url ?? ''))
  return before?.url ? new URL(before.url).hash || '#/jobs' : '#/jobs'
}

/** `…/#/jobs?state=failed`, and what is the same as `#/jobs`. */
const LIST = /#\/jobs(\?[^#]*)?$|^[^#]*#?\/?$/
