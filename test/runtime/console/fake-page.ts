/** Makes a `document` that can be hidden and seen, for modules of the console that ask for it; it is seen at first. */
export const fakePage = () => {
  const page = Object.assign(new EventTarget(), { hidden: false })
  Object.assign(globalThis, { document: page })
  return {
    hide(isHidden: boolean): void {
      page.hidden = isHidden
      page.dispatchEvent(new Event('visibilitychange'))
    },
  }
}
