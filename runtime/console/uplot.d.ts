/** The module for browsers, of which the package tells no types. */
declare module 'uplot/dist/uPlot.esm.js' {
  import type uPlot from 'uplot'

  const plot: typeof uPlot

  // biome-ignore lint/style/noDefaultExport: The module has no other.
  export { plot as default }
}
