/** What the page does by itself: filters operations, `/` leads to the filter, listings are copied. Nothing on it needs the script to be read. */
export const SCRIPT = `
const filter = document.getElementById('filter'), none = document.getElementById('none')
const entries = [...document.querySelectorAll('main article[id]')].map((article) => [article, article.querySelector('header').textContent.toLowerCase(), document.querySelector('[data-of="' + article.id + '"]')])
const sections = document.querySelectorAll('main section:not(.intro), nav section')
const intro = document.querySelector('.intro')
filter.hidden = false
filter.oninput = () => {
  const words = filter.value.toLowerCase().split(/\\s+/).filter(Boolean)
  for (const [article, text, link] of entries) {
    article.hidden = !words.every((word) => text.includes(word))
    if (link) link.hidden = article.hidden
  }
  for (const section of sections) section.hidden = words.length > 0 && !section.querySelector('article:not([hidden]), [data-of]:not([hidden])')
  intro.hidden = words.length > 0
  none.hidden = entries.some(([article]) => !article.hidden)
}
addEventListener('keydown', (event) => {
  if (event.key === '/' && event.target !== filter) event.preventDefault(), filter.focus()
  if (event.key === 'Escape' && event.target === filter) filter.value = '', filter.oninput(), filter.blur()
})
if (navigator.clipboard) for (const caption of document.querySelectorAll('figcaption')) {
  const button = document.createElement('button')
  button.textContent = 'Copy'
  button.onclick = async () => {
    await navigator.clipboard.writeText(caption.nextElementSibling.textContent)
    button.textContent = 'Copied'
    setTimeout(() => (button.textContent = 'Copy'), 1500)
  }
  caption.append(button)
}
`
