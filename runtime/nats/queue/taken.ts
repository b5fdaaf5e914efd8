/** What has become of a message, for the metrics. */
export type Taken =
  | 'run'
  | 'run-again'
  | 'passed'
  | 'given-back'
  | 'limited'
  | 'doubted'
  | 'dead'
  | 'done'
  | 'put-aside'
