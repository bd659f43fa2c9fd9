import type { KeptMail } from './mailbox.ts'

const STYLE = `
:root{color-scheme:light dark;--soft:#5c6470;--line:#e6e8eb}
@media(prefers-color-scheme:dark){:root{--soft:#98a1ad;--line:#262a30}}
body{max-width:44rem;margin:3rem auto;padding:0 1.5rem;font:1rem/1.6 system-ui,sans-serif}
article{padding:1.5rem 0;border-top:1px solid var(--line)}
h2{margin:0;font-size:1.125rem}
p{margin:0;color:var(--soft);font-size:.875rem}
pre{margin:1rem 0 0;white-space:pre-wrap;overflow-wrap:anywhere;font:.875rem/1.6 ui-monospace,monospace}
`

/** The mailbox as a page, newest first. */
export function mailboxPage(mails: KeptMail[]): string {
  const articles = mails.map(
    ({ at, from, to, subject, text }) =>
      `<article><h2>${escape(subject)}</h2><p>to ${escape(to.join(', '))}, from ${escape(from)}, ${escape(at)}</p><pre>${escape(text)}</pre></article>`,
  )
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Mailbox</title><link rel="icon" href="data:,"><style>${STYLE}</style></head>
<body><h1>Mailbox</h1>${articles.join('') || '<p>Nothing was sent yet.</p>'}</body></html>`
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
