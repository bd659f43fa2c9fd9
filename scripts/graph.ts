import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { contracts } from './contracts.ts'
import { CommandError, runCommand } from './db/command.ts'
import { GRAPH_FILE, pictureOf, readGraph } from './graph/graph.ts'
import { ROOT } from './root.ts'

const USAGE = `pnpm graph: draw who may call whom, and with which permissions, into ${GRAPH_FILE}

  --json    print the Workers and the edges between them instead, and write nothing
  --help    this text

It is made from every wrangler.jsonc and every contract; \`pnpm generate\` writes it too, and \`pnpm check\` says when it is not fresh.
`

await runCommand({ usage: USAGE, options: {}, arguments: [0, 0] }, async ({ values, say, answer }) => {
  const graph = await readGraph(ROOT, await contracts())
  if (!graph) throw new CommandError('There is no Worker here')
  answer(graph)
  if (values['json'] === true) return
  await writeFile(join(ROOT, GRAPH_FILE), await pictureOf(graph))
  say(`wrote ${GRAPH_FILE}: ${graph.workers.length} Workers, ${graph.edges.length} edges`)
})
