import { html as anyHtml } from 'htm/preact'
import type { ComponentChildren } from 'preact'

/**
 * Markup of elements: html`<p class="quiet">${text}</p>`, one element or several. What is put in becomes text or attributes,
 * never markup. A component of ours is placed by `h(Component, props)`, so that its props are checked.
 */
export const html = anyHtml as (strings: TemplateStringsArray, ...values: unknown[]) => ComponentChildren
