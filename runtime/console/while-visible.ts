/**
 * Keeps something going while somebody may see the page: `run` is called at once, its signal is aborted when the page
 * has been hidden for a while, and it is called again when it is seen again. A browser opens six connections to a host
 * for all its tabs, and a stream takes one. It ends when `run` rejects without having been aborted, which `onFailure`
 * is told, or resolves so. Calling the result ends it.
 */
export const whileVisible = (
  run: (signal: AbortSignal) => Promise<void>,
  onFailure: (error: unknown) => void,
): (() => void) => {
  let running: AbortController | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let isOver = false
  const begin = (): void => {
    const controller = new AbortController()
    running = controller
    run(controller.signal).then(
      () => controller.signal.aborted || end(),
      error => {
        if (controller.signal.aborted) return
        end()
        onFailure(error)
      },
    )
  }
  const pause = (): void => {
    running?.abort()
    running = undefined
  }
  const onChange = (): void => {
    clearTimeout(timer)
    if (document.hidden) timer = setTimeout(pause, HIDDEN_MS)
    else if (!running && !isOver) begin()
  }
  const end = (): void => {
    isOver = true
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', onChange)
    pause()
  }
  document.addEventListener('visibilitychange', onChange)
  begin()
  return end
}

/** One who looks at another tab for a moment misses nothing. */
const HIDDEN_MS = 10_000
