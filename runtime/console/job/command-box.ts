import { useSignal } from '@preact/signals'
import { h } from 'preact'
import { useId } from 'preact/hooks'
import type { Job } from '../../../lib/client/client.ts'
import { commandText } from '../command-text.ts'
import { CopyButton } from '../copy-button.ts'
import { html } from '../html.ts'
import { visibleText } from '../visible-text.ts'
import { words } from './words.ts'

/** What is run, whole; a long one is folded at first. */
export const CommandBox = ({
  job,
}: {
  job: Pick<Job, 'execCmd' | 'scriptName' | 'scriptType' | 'params'>
}) => {
  const { scriptName, scriptType } = job
  const command = commandText(job)
  const id = useId()
  const isOpen = useSignal(false)
  const beginning = beginningOf(command)
  const isLong = beginning.length < command.length
  const shown = isLong && !isOpen.value ? `${beginning}…` : command
  const title = scriptName === '' ? words.command : words.script(scriptName, scriptType)
  return html`<section class="command" aria-label=${title}>
    ${scriptName === '' ? null : html`<p class="small quiet">${visibleText(title)}</p>`}
    <div class="command-line">
      <pre class="code" id=${id}>${visibleText(shown)}</pre>
      ${h(CopyButton, { text: () => command, label: words.copyCommand, children: words.copy })}
    </div>
    ${
      isLong
        ? html`<button class="plain small" aria-expanded=${isOpen.value} aria-controls=${id} onClick=${() => {
            isOpen.value = !isOpen.value
          }}>${isOpen.value ? words.less : words.more}</button>`
        : null
    }
  </section>`
}

/** As much of it as does not push everything else off the page. */
const beginningOf = (text: string): string => {
  const lines = text.split('\n', LINES + 1)
  const beginning = lines.length > LINES ? lines.slice(0, LINES).join('\n') : text
  return beginning.length > CHARACTERS ? beginning.slice(0, CHARACTERS) : beginning
}

const LINES = 8
const CHARACTERS = 500
