import { h } from 'preact'
import { Dialog } from './dialog.ts'
import { html } from './html.ts'
import { choose } from './language.ts'

/** What keys do, by page. */
export const KeysDialog = ({ onClose }: { onClose(): void }) => {
  const rows = (keys: Keys) =>
    keys.map(
      ([key, text]) =>
        html`<div key=${key}><dt>${key.split(' ').map(one => html`<kbd>${one}</kbd>`)}</dt><dd>${text}</dd></div>`,
    )
  const body = html`<div class="keys">
    <h3>${words.jobs}</h3><dl>${rows(words.jobsKeys)}</dl>
    <h3>${words.job}</h3><dl>${rows(words.jobKeys)}</dl>
    <h3>${words.everywhere}</h3><dl>${rows(words.everywhereKeys)}</dl>
    <div class="tools"><button type="button" autofocus onClick=${onClose}>${words.close}</button></div>
  </div>`
  return h(Dialog, { title: words.title, onClose, children: body })
}

type Keys = readonly (readonly [key: string, text: string])[]

type Texts = Record<'title' | 'jobs' | 'job' | 'everywhere' | 'close', string> &
  Record<'jobsKeys' | 'jobKeys' | 'everywhereKeys', Keys>

const words = choose<Texts>({
  en: {
    title: 'Keys',
    jobs: 'In the list of jobs',
    jobsKeys: [
      ['/', 'search in the commands'],
      ['j k', 'select the next, the previous job'],
      ['Enter', 'open the selected job'],
      ['c', 'cancel the selected job'],
    ],
    job: 'On the page of a job',
    jobKeys: [
      ['/', 'search in the output'],
      ['f', 'follow the output'],
      ['c', 'cancel the job'],
      ['u Escape', 'go back to the list'],
    ],
    everywhere: 'Everywhere',
    everywhereKeys: [
      ['Escape', 'leave a field, close a dialog'],
      ['?', 'show these keys'],
    ],
    close: 'Close',
  },
  zh: {
    title: '快捷键',
    jobs: '任务列表',
    jobsKeys: [
      ['/', '在命令中搜索'],
      ['j k', '选择下一个、上一个任务'],
      ['Enter', '打开所选任务'],
      ['c', '取消所选任务'],
    ],
    job: '任务页面',
    jobKeys: [
      ['/', '在输出中搜索'],
      ['f', '跟随输出'],
      ['c', '取消任务'],
      ['u Escape', '返回列表'],
    ],
    everywhere: '所有页面',
    everywhereKeys: [
      ['Escape', '离开输入框，关闭对话框'],
      ['?', '显示快捷键'],
    ],
    close: '关闭',
  },
})
