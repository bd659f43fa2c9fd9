import { connect } from '../../db/src/database.ts'
import type { Env } from '../../db/src/env.ts'

export { Connections } from '../../db/src/connections.ts'

/** Runs a statement as the role it is told, and tells what came of it. */
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { role, sql } = (await request.json()) as { role: string; sql: string } // what the test sends
    const connection = await connect(role, env)
    return connection([{ sql, params: [] }]).then(
      ([rows]) => Response.json(rows),
      (error: Error) => Response.json({ ...error, message: error.message }),
    )
  },
}
