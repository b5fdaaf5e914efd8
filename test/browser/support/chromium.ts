/** Debian's. */
export const EXECUTABLE = '/usr/bin/chromium'

/** It asks nobody but the agent for anything. */
export const CHROMIUM = {
  executablePath: EXECUTABLE,
  args: [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
}
