import { h } from 'preact'
import { html } from '../html.ts'
import { agentUrl } from '../session.ts'
import { useTitle } from '../title.ts'
import type { SignIn } from './create-sign-in.ts'
import { SignInAgain } from './sign-in-again.ts'
import { SignInForm } from './sign-in-form.ts'
import { tunnelTo } from './tunnel.ts'
import { words } from './words.ts'

/** A token, or a secret that signs here. Nothing is asked for where others could read it on its way. */
export const SignInPage = ({ signIn }: { signIn: SignIn }) => {
  useTitle(words.signIn, agentUrl().host)
  const title = html`<h1>newdt</h1><p class="quiet">${words.to(agentUrl().host)}</p>` // Two elements.
  return html`<main class="sign-in">${title}${isSecureContext ? wayIn(signIn) : insecure()}</main>`
}

const wayIn = (signIn: SignIn) =>
  signIn.again.value.isGoingOn ? h(SignInAgain, { signIn }) : h(SignInForm, { signIn })

const insecure = () => {
  const { command, address } = tunnelTo(agentUrl())
  return html`<h2>${words.insecureTitle}</h2><p>${words.insecure}</p>
    <pre class="code">${command}</pre><p>${words.thenOpen} <a href=${address}>${address}</a></p>`
}
