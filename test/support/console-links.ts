/** What the console's page links to, relative to it. */
export const linksOf = (page: string): string[] => [
  ...new Set([...page.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, link]) => link!)),
]
