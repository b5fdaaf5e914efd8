import { effect, type ReadonlySignal, untracked, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { nextTask } from './breathe.ts'

/**
 * Another number when any of these has changed, but at most once for each frame that the browser draws. Where drawing
 * takes long, two thirds of the time are left for all else on the page.
 */
export const useFrames = (...changing: ReadonlySignal<unknown>[]): ReadonlySignal<number> => {
  const frame = useSignal(0)
  useEffect(() => {
    let isChanged = false
    let isRunning = false
    const run = async (): Promise<void> => {
      isRunning = true
      while (isChanged) {
        await new Promise(requestAnimationFrame)
        isChanged = false
        const start = performance.now()
        frame.value++
        await nextTask() // The frame is drawn then.
        const tookMs = performance.now() - start
        if (tookMs > LONG_MS) await new Promise(resolve => setTimeout(resolve, tookMs * 2))
      }
      isRunning = false
    }
    const stop = effect(() => {
      for (const one of changing) void one.value
      isChanged = true
      if (!isRunning) void untracked(run)
    })
    return () => {
      stop()
      isChanged = false
    }
  }, changing)
  return frame
}

const LONG_MS = 8
