import { h } from 'preact'
import type { ScriptType } from '../../../lib/client/script-type.ts'
import { html } from '../html.ts'
import { visibleTextOf } from '../visible-text.ts'
import { CodeField } from './code-field.ts'
import type { RunForm } from './form.ts'
import type { allowedOf } from './form-within.ts'
import type { FormProps } from './option-sections.ts'
import { foreignInterpreterOf, scriptTypeOf } from './script-type.ts'
import { SelectField } from './select-field.ts'
import { TextField } from './text-field.ts'
import { words } from './words.ts'

export interface WhatFieldsProps extends FormProps {
  /** All that the key may run, where it may not run everything. */
  allowed: ReturnType<typeof allowedOf>
}

/** What is to be run: a command or a script, with its params. */
export const WhatFields = ({ allowed, ...props }: WhatFieldsProps) => {
  const { form, faulty, onChange } = props
  const choice = (
    kind: RunForm['kind'],
  ) => html`<label><input type="radio" name="kind" checked=${form.kind === kind}
    onChange=${() => onChange({ kind })} /><span>${words[kind]}</span></label>`
  const isCommand = form.kind === 'command'
  const params = h(TextField, {
    label: words.params,
    hint: isCommand ? words.commandParamsHint : words.scriptParamsHint,
    value: form.params,
    isCode: true,
    isFaulty: faulty.has('params'),
    onInput: params => onChange({ params }),
  })
  const isEither = !allowed || (allowed.scripts && allowed.commands.length > 0)
  return html`<div class="stack">
    ${
      isEither
        ? html`<fieldset class="segments"><legend class="unseen">${words.kind}</legend>${choice('command')}${choice('script')}</fieldset>`
        : null
    }
    ${isCommand ? (allowed ? allowedCommand(props, allowed.commands) : command(props)) : script(props, allowed)}
    ${allowed && isCommand ? null : params}
  </div>`
}

const command = ({ form, faulty, onChange }: FormProps) =>
  h(CodeField, {
    key: 'command',
    label: words.command,
    hint: words.commandHint,
    language: 'shell',
    value: form.cmd,
    lines: 2,
    isFaulty: faulty.has('cmd'),
    onInput: cmd => onChange({ cmd }),
  })

const allowedCommand = ({ form, faulty, onChange }: FormProps, commands: readonly string[]) =>
  h(SelectField<string>, {
    key: 'allowed-command',
    label: words.command,
    hint: words.allowedCommandsHint,
    value: form.cmd,
    options: [['', words.chooseCommand], ...commands.map(one => [one, visibleTextOf(one)] as const)],
    isFaulty: faulty.has('cmd'),
    onChange: cmd => onChange({ cmd }),
  })

const script = ({ form, faulty, onChange }: FormProps, allowed: WhatFieldsProps['allowed']) => {
  const foreign = foreignInterpreterOf(form)
  return html`<div class="stack" key="script">
  <div class="fields">
    ${h(TextField, {
      label: words.scriptName,
      hint: words.scriptNameHint,
      value: form.scriptName,
      isCode: true,
      isFaulty: faulty.has('scriptName'),
      onInput: scriptName => onChange({ scriptName }),
    })}
    ${h(SelectField<ScriptType>, {
      label: words.scriptType,
      hint: foreign === undefined ? undefined : words.foreignInterpreter(foreign),
      value: scriptTypeOf(form),
      options: [
        ['shell', 'bash'],
        ['python', 'python3'],
      ],
      onChange: scriptType => onChange({ scriptType }),
    })}
  </div>
  ${h(CodeField, {
    label: words.scriptContent,
    hint: allowed ? words.allowedScriptsHint : words.scriptContentHint,
    language: scriptTypeOf(form),
    value: form.scriptContent,
    lines: 10,
    isFaulty: faulty.has('scriptContent'),
    onInput: scriptContent => onChange({ scriptContent }),
  })}
</div>`
}
