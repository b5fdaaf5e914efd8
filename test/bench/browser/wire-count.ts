/** What a page takes over the wire, of the events of the browser's domain `Network`. */
export const createWireCount = () => {
  const cached = new Set<string>()
  let requests = 0
  let bytes = 0
  return {
    onServedFromCache({ requestId }: { requestId: string }): void {
      cached.add(requestId)
    },

    /** The length is that of headers and body as they came; 0 for what was kept on disk. */
    onFinished({ requestId, encodedDataLength }: { requestId: string; encodedDataLength: number }): void {
      if (encodedDataLength === 0 || cached.has(requestId)) return
      requests++
      bytes += encodedDataLength
    },

    figures: () => ({ requests, kb: bytes / 1000 }),
  }
}
