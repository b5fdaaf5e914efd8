/** `1.4 MB`, in powers of 1024. */
export const sizeText = (bytes: number): string => {
  if (bytes < 1024) return `${bytes} B`
  const power = Math.min(4, Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 1024 ** power
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${'KMGT'[power - 1]}B`
}

/** As the agent and newdt read it, to the byte: `512mb`, `1000b`. */
export const exactSize = (bytes: number): string => {
  const power = [4, 3, 2, 1].find(power => bytes > 0 && bytes % 1024 ** power === 0) ?? 0
  return `${bytes / 1024 ** power}${['b', 'kb', 'mb', 'gb', 'tb'][power]}`
}
