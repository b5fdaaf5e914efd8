/** Newer output, or other jobs, have taken the place of what was to be read. */
export class OutputRemovedError extends Error {
  constructor() {
    super('the output was removed while it was read')
  }
}
