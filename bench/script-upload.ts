/** The local Cloudflare API, as `dev.json` tells of it. */
interface Access {
  apiBaseUrl: string
  apiToken: string
  accountId: string
}

/** Uploads one module as a script, tagged by its own name, so that scripts spread over the processes. */
export async function putScript(
  { apiBaseUrl, apiToken, accountId }: Access,
  { namespace, name, code }: { namespace: string; name: string; code: string },
): Promise<void> {
  const body = new FormData()
  body.set('metadata', JSON.stringify({ main_module: 'main.js', compatibility_date: '2026-11-01', tags: [name] }))
  body.set('main.js', new File([code], 'main.js', { type: 'application/javascript+module' }))
  const url = `${apiBaseUrl}/accounts/${accountId}/workers/dispatch/namespaces/${namespace}/scripts/${name}`
  const answer = await fetch(url, { method: 'PUT', headers: { authorization: `Bearer ${apiToken}` }, body })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`PUT ${name}: ${answer.status} ${text}`)
}
