// What runs in the page. Each is sent there as text, so it uses nothing of this file.

/** From when the page was asked for until somebody can type into it; begins to look at once. */
export const watchSignIn = (): void => {
  const look = (): void => {
    if (document.activeElement?.matches('input[type=password]')) window.signInMs = performance.now()
    else requestAnimationFrame(look)
  }
  look()
}

/** Presses "Sign in"; how long until the list of jobs has a row. */
export const signInForRow = (): Promise<number> =>
  new Promise(resolve => {
    const begin = performance.now()
    const look = (): void => {
      if (document.querySelector('.job[data-id]')) resolve(performance.now() - begin)
      else requestAnimationFrame(look)
    }
    document.querySelector('button.primary')!.click()
    look()
  })

/** Goes to a job; how long until a text is the last row of its output, and the longest between two frames meanwhile. */
export const openJobForLine = ([hash, text]: [hash: string, text: string]): Promise<OpenedJob> =>
  new Promise(resolve => {
    const begin = performance.now()
    let last = begin
    let frameMs = 0
    const look = (): void => {
      const now = performance.now()
      frameMs = Math.max(frameMs, now - last)
      last = now
      const row = document.querySelector('.output-row:last-child .output-text')
      if (row?.textContent === text) resolve({ lineMs: now - begin, frameMs })
      else requestAnimationFrame(look)
    }
    location.hash = hash
    requestAnimationFrame(look)
  })

export interface OpenedJob {
  lineMs: number
  frameMs: number
}

/** Of a browser's own, which is not known where Node's programs are checked. */
declare const window: { signInMs?: number }
declare const location: { hash: string }
declare const requestAnimationFrame: (callback: () => void) => void
declare const document: {
  activeElement: PageElement | null
  querySelector(selector: string): PageElement | null
}
interface PageElement {
  textContent: string | null
  matches(selector: string): boolean
  click(): void
}
