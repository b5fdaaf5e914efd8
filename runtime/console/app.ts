import type { ReadonlySignal } from '@preact/signals'
import { h } from 'preact'
import { useEffect } from 'preact/hooks'
import { lazyPage } from './lazy-page.ts'
import type { Route } from './route.ts'
import type { SignIn } from './sign-in/create-sign-in.ts'
import { SignInPage } from './sign-in/sign-in-page.ts'

export interface AppProps {
  signIn: SignIn
  route: ReadonlySignal<Route>
}

/** One signs in, then sees the pages; their code comes meanwhile. */
export const App = ({ signIn, route }: AppProps) => {
  const session = signIn.session.value
  useEffect(() => void shell.preload(), [])
  if (session) return h(shell.Page, { session, route, onSignOut: signIn.signOut })
  return h(SignInPage, { signIn })
}

const shell = lazyPage(async () => (await import('./shell.ts')).Shell)
