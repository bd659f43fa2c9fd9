import type { Contract } from '@dot-do/worker-contracts/contract'
import { dotOf } from './dot.ts'
import { graphOf, readWorkers, type CallEdge, type Graph } from './model.ts'
import { svgOf } from './svg.ts'

/** Where the picture lies, relative to the root. */
export const GRAPH_FILE = 'docs/graph.svg'

/** The graph of the Workers under a root; undefined where there are none. */
export async function readGraph(root: string, contracts: readonly Contract[]): Promise<Graph | undefined> {
  const workers = await readWorkers(root)
  return workers.length === 0 ? undefined : graphOf(workers, contracts)
}

/** The graph as a picture, which also says in words what it shows. */
export function pictureOf(graph: Graph): Promise<string> {
  const calls = graph.edges.filter((edge): edge is CallEdge => edge.kind === 'call')
  const description = calls.map(
    ({ from, to, permissions, delegate }) =>
      `${from} may call ${to}${permissions.length > 0 ? ` with ${permissions.join(', ')}` : ''}${delegate ? ' and for others' : ''}`,
  )
  return svgOf(dotOf(graph), { title: 'Who may call whom, and with which permissions', description: `${description.join('; ')}.` })
}
