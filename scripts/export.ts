import { API_OPTIONS, API_USAGE, openApi } from './db/api.ts'
import { counted, CommandError, runCommand, textOf } from './db/command.ts'
import { exportToFile, exportToTree } from './db/exporting.ts'

const USAGE = `pnpm db:export FILE.ndjson|DIR: write things and the relationships between them into a file, or a tree of MDX

  FILE.ndjson   one line for each; a file that is there is left alone
  DIR           <id>.mdx for each thing, and relationships.ndjson; a folder that is not there or empty
  --type TYPE   things of one type only
  --id GLOB     things whose id fits: note/*, note/**, note/*::Note
${API_USAGE}  --json        print the counts as JSON
  --help        this text

An export is of the moment it began, whatever is written meanwhile.
`

const options = { ...API_OPTIONS, type: { type: 'string' }, id: { type: 'string' } } as const

await runCommand({ usage: USAGE, options, arguments: [1, 1] }, async (run) => {
  const [path = ''] = run.positionals
  const api = await openApi(run)
  const asked = new URLSearchParams()
  for (const name of ['ns', 'type', 'id']) {
    const value = textOf(run, name)
    if (value !== undefined) asked.set(name, value)
  }
  const { body } = await api.ask(`/db/export.ndjson?${asked}`)
  if (!body) throw new CommandError(`${api.url} answered with no export`)
  const write = path.endsWith('.ndjson') ? exportToFile : exportToTree
  const { things, relationships } = await write(body, path, (done) => run.progress(counted(done, 'line')))
  run.say(`${path}: ${counted(things, 'thing')} and ${counted(relationships, 'relationship')} of ${api.url}`)
  run.answer({ things, relationships })
})
