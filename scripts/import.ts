import { API_OPTIONS, API_USAGE, openApi } from './db/api.ts'
import { counted, runCommand, textOf } from './db/command.ts'
import { checkSource, importSource } from './db/importing.ts'
import { sourceOf } from './db/tree.ts'

const USAGE = `pnpm db:import FILE.ndjson|DIR: write things and relationships through the API

  FILE.ndjson   lines such as \`pnpm db:export\` writes; lines written by hand need no first and last line
  DIR           a tree of MDX: <id>.mdx with $type in its frontmatter, and relationships.ndjson
  --dry-run     read and check everything, write nothing
${API_USAGE}  --json        print the counts as JSON
  --help        this text

All of it is read and checked before anything is written. Then it goes out in parts of at most 1000 lines, each all or none; what is there already changes nothing,
so an import that was interrupted is run again.
`

await runCommand({ usage: USAGE, options: { ...API_OPTIONS, 'dry-run': { type: 'boolean' } }, arguments: [1, 1] }, async (run) => {
  const [path = ''] = run.positionals
  const source = await sourceOf(path)
  const isDryRun = run.values['dry-run'] === true
  const api = isDryRun ? undefined : await openApi(run)
  const found = await checkSource(source, { signal: run.signal, onProgress: (done) => run.progress(`${counted(done, 'line')} read`) })
  const total = found.things + found.relationships
  const told = `${counted(found.things, 'thing')} and ${counted(found.relationships, 'relationship')}`
  if (!api) {
    run.say(`${path}: ${told}; nothing was written`)
    return run.answer({ things: found.things, relationships: found.relationships, changed: 0 })
  }
  const onProgress = (done: number): void => run.progress(`${done.toLocaleString('en-US')} of ${counted(total, 'line')} written`)
  const imported = await importSource(source, api, { ns: textOf(run, 'ns'), sha256: found.sha256, signal: run.signal, onProgress })
  run.say(`${path}: ${told} into ${api.url}, ${imported.changed.toLocaleString('en-US')} of them new or changed`)
  run.answer(imported)
})
