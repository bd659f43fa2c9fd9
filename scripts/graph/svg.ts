import { Graphviz } from '@hpcc-js/wasm-graphviz'
import { escaped, FONT } from './dot.ts'

/** Lays a graph out and draws it: the same picture on every machine, since it is Graphviz as WebAssembly with its own measures of letters. */
export async function svgOf(dot: string, { title, description }: { title: string; description: string }): Promise<string> {
  const graphviz = await Graphviz.load()
  const drawn = graphviz.layout(dot, 'svg', 'dot')
  const [head = '', ...body] = drawn
    .slice(drawn.indexOf('<svg'))
    .replaceAll(/<!--.*?-->\n?/gs, '')
    .replaceAll('&#45;', '-')
    .split('>')
  const [, width = '', height = ''] = /width="(\d+)pt" height="(\d+)pt"/.exec(head) ?? []
  const named = `<svg width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" role="img" aria-labelledby="title desc">
<title id="title">${escaped(title)}</title>
<desc id="desc">${escaped(description)}</desc`
  return `${[named, ...body].join('>').replaceAll(`font-family="${FONT}"`, `font-family="${FONT}, Helvetica, sans-serif"`).trim()}\n`
}
