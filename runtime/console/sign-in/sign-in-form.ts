import { type Signal, useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { ClientError, Credentials } from '../../../lib/client/client.ts'
import { html } from '../html.ts'
import { agentUrl } from '../session.ts'
import type { SignIn } from './create-sign-in.ts'
import { isWholeSignatureNeeded, type SignInFault, signInFault } from './sign-in-fault.ts'
import { type CredentialKind, credentialsOf, kindOf } from './typed-credentials.ts'
import { words } from './words.ts'

export const SignInForm = ({ signIn: { again, signIn } }: { signIn: SignIn }) => {
  const chosen = useSignal<CredentialKind | undefined>(undefined)
  const text = useSignal('')
  const keyId = useSignal<string | undefined>(undefined)
  const remember = useSignal(false)
  const isBusy = useSignal(false)
  const earlier = again.peek().error // Of what was kept for this tab, when it is not good any more.
  const fault = useSignal<SignInFault | undefined>(earlier && signInFault(earlier, undefined, agentUrl()))
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => field.current?.focus(), [])
  const kind = chosen.value ?? kindOf(text.value)

  const submit = async (credentials: Credentials | undefined): Promise<void> => {
    isBusy.value = true
    fault.value = undefined
    const attempt = async (one: Credentials | undefined): Promise<ClientError | undefined> => {
      const error = await signIn(one, { remember: remember.value })
      if (error) fault.value = signInFault(error, one, agentUrl())
      return error
    }
    const error = await attempt(credentials)
    if (error && isWholeSignatureNeeded(error.word, credentials) && agentUrl().pathname === '/') {
      const { secret } = credentials as { secret: string }
      keyId.value ??= 'default'
      fault.value = undefined
      await attempt({ secret, keyId: keyId.value })
    }
    isBusy.value = false
    if (fault.value) field.current?.select()
  }
  const onSubmit = (event: Event): void => {
    event.preventDefault()
    const credentials = credentialsOf(text.value, kind)
    if (credentials === 'empty' || credentials === 'no-token') fault.value = { text: words[credentials] }
    else void submit(credentials)
  }
  const choice = (one: CredentialKind) => html`<label class="choice">
    <input type="radio" name="kind" checked=${kind === one} onClick=${() => {
      chosen.value = one
    }} />${words[one]}</label>`

  return html`<form onSubmit=${onSubmit}>
    <fieldset class="choices"><legend class="unseen">${words.kind}</legend>${choice('token')}${choice('secret')}</fieldset>
    <label class="field"><span class="unseen">${words[kind]}</span>
      <input ref=${field} type="password" autocomplete="off" spellcheck="false" value=${text.value}
        onInput=${taking(text)} aria-describedby="sign-in-hint" aria-invalid=${fault.value !== undefined} /></label>
    <p id="sign-in-hint" class="quiet small">${kind === 'token' ? words.tokenHint : words.secretHint}</p>
    ${keyId.value !== undefined && kind === 'secret' ? keyIdField(keyId) : null}
    <label class="choice"><input type="checkbox" checked=${remember.value} onChange=${() => {
      remember.value = !remember.value
    }} />${words.remember}</label>
    <div role="alert">${fault.value && faultOf(fault.value)}</div>
    <button class="primary" disabled=${isBusy.value}>${words.signIn}</button>
    ${location.protocol === 'https:' ? html`<button type="button" class="plain" onClick=${() => submit(undefined)}>${words.certificate}</button>` : null}
  </form>`
}

const faultOf = ({ text, detail }: SignInFault) =>
  html`<p class="fault">${text}</p>${detail === undefined ? null : html`<p class="quiet small">${detail}</p>`}`

const keyIdField = (keyId: Signal<string | undefined>) => html`<label class="field">${words.keyId}
  <input required pattern=${KEY_ID} value=${keyId.value} onInput=${taking(keyId)} /><span class="quiet small">${words.keyIdHint}</span></label>`

/** As the agent takes it. */
const KEY_ID = '[\\w.@\\-]{1,64}'

const taking = (value: Signal<string> | Signal<string | undefined>) => (event: Event) => {
  value.value = (event.currentTarget as HTMLInputElement).value
}
