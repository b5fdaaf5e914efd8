import { html } from '../html.ts'
import type { SignIn } from './create-sign-in.ts'
import { words } from './words.ts'

/** While it is tried with what was kept for this tab: an agent that cannot be reached may come back. */
export const SignInAgain = ({ signIn: { again, giveUp } }: { signIn: SignIn }) => {
  const { error } = again.value
  return html`<div class="sign-in-again">
    <p role="status">${error ? words.notReached : words.again}</p>
    ${error ? html`<p class="fault">${error.message}</p>` : null}
    <button type="button" onClick=${giveUp}>${words.otherwise}</button>
  </div>`
}
