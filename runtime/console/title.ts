import { useEffect } from 'preact/hooks'

/** Gives the tab a name, by which it is told apart from those of other pages and hosts. */
export const useTitle = (page: string, host: string): void => {
  useEffect(() => {
    document.title = titleOf(page, host)
  }, [page, host])
}

export const titleOf = (page: string, host: string): string => `${page} · ${host} · newdt`
