import type { Call } from '@dot-do/worker-kernel/call'
import { demand } from '@dot-do/worker-kernel/identity'
import type { Env } from '../env.ts'
import { openCopy } from './shelf.ts'

/** Answers `GET /maintenance/backups/<name>` with the file, as R2 gives it; `pnpm db:restore` takes it. */
export async function downloadBackup(name: string, { env, principal }: Call<Env>): Promise<Response> {
  demand(principal, 'db:maintain')
  const copy = await openCopy(name, env.DB_BUCKET)
  const headers = {
    'Content-Type': 'application/gzip',
    'Content-Length': String(copy.size),
    'Content-Disposition': `attachment; filename="backup-${name}"`,
    'Cache-Control': 'no-store',
  }
  return new Response(copy.body, { headers })
}
