import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One section of the documentation, by its file and, after the first, its heading: `docs/testing.md/write-one`. */
export interface Section {
  id: string
  title: string
  content: string
}

/** Everything that is written for people, split at its headings, blocks of code included. */
export function sections(root: string): Section[] {
  return documents(root).flatMap((file) => sectionsOf(file, readFileSync(join(root, file), 'utf8')))
}

function documents(root: string): string[] {
  const inside = (folder: string) => readdirSync(join(root, folder)).flatMap((name) => (name.endsWith('.md') ? [join(folder, name)] : []))
  const readmes = readdirSync(root, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() && entry.name !== 'node_modules' ? [entry.name] : []))
  const packages = readdirSync(join(root, 'packages')).map((name) => join('packages', name))
  const kept = [...readmes, ...packages].flatMap((folder) => (readdirSync(join(root, folder)).includes('README.md') ? [join(folder, 'README.md')] : []))
  return ['README.md', 'AGENTS.md', ...inside('docs'), ...inside('docs/decisions'), ...kept].sort()
}

/** A decision is short and stays whole. A heading inside a block of code is none, and a section that is only a heading is left out. */
function sectionsOf(file: string, text: string): Section[] {
  const found: Section[] = []
  const isHeading = file.startsWith('docs/decisions/') ? /^# (.+)$/ : /^#{1,3} (.+)$/
  let isCode = false
  for (const line of text.split('\n')) {
    if (/^\s*(```|~~~)/.test(line)) isCode = !isCode
    const heading = isCode ? undefined : isHeading.exec(line)?.[1]
    if (heading !== undefined) found.push({ id: found.length === 0 ? file : `${file}/${slug(heading)}`, title: heading, content: '' })
    else if (found.length > 0) append(found, line)
  }
  return found.filter(({ content }) => content.trim() !== '')
}

function append(found: Section[], line: string): void {
  const last = found.at(-1)
  if (last) last.content += `${line}\n`
}

function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
}
