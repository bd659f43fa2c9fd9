import { join } from 'node:path'
import { API_OPTIONS, API_USAGE, openApi } from './db/api.ts'
import { counted, runCommand, textOf } from './db/command.ts'
import { checkSource, importSource } from './db/importing.ts'
import { sourceOf } from './db/tree.ts'
import { ROOT } from './root.ts'

const USAGE = `pnpm db:seed: write the sample things of db/seed and what they are to each other, through the API

${API_USAGE}  --json        print the counts as JSON
  --help        this text

A second time it changes nothing, unless somebody changed the samples: then it brings them back.
`

await runCommand({ usage: USAGE, options: API_OPTIONS, arguments: [0, 0] }, async (run) => {
  const api = await openApi(run)
  const source = await sourceOf(join(ROOT, 'db/seed'))
  const watched = { signal: run.signal, onProgress: () => undefined }
  const { sha256 } = await checkSource(source, watched)
  const imported = await importSource(source, api, { ns: textOf(run, 'ns'), sha256, ...watched })
  const told = `${counted(imported.things, 'thing')} and ${counted(imported.relationships, 'relationship')}`
  run.say(`${told} in ${api.url}, ${imported.changed} of them new or changed`)
  run.answer(imported)
})
