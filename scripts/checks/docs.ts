import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { filesUnder, packageFolders, packageOf, readJson } from './files.ts'
import { readMarkdown, type Markdown, type Piece } from './markdown.ts'
import type { Problem } from './problem.ts'

/** What pnpm does by itself, without a script of ours. */
const PNPM_COMMANDS = new Set([
  'install',
  'i',
  'add',
  'remove',
  'update',
  'exec',
  'dlx',
  'run',
  'why',
  'list',
  'outdated',
  'approve',
  'patch',
  'audit',
  'store',
  'create',
  'peers',
])

/** Folders whose files people name in prose; other first segments may as well be routes or permissions. */
const CODE_FOLDERS = /^(\.{1,2}\/|(packages|scripts|docs|templates|tests|bench|examples|src|migrations)\/)/

/** Files that commands make, so that they may be absent. */
const MADE = /^(\.\/)?(\.local|dist|coverage|node_modules)(\/|$)|^bench\/results\.json$/

/** A Markdown file and what is needed to judge it. */
interface Page extends Markdown {
  file: string
  folder: string
  /** The folder of the package it lies in; the root's is empty. */
  home: string
}

/** Whatever prose names is there: files and anchors that are linked to, `pnpm` scripts, and paths in backticks. */
export async function docs(root: string): Promise<Problem[]> {
  const pages = await readPages(root)
  const { scripts = {} } = await readJson<{ scripts?: Record<string, string> }>(root, 'package.json')
  const anchors = new Map(pages.map((page) => [page.file, page.anchors]))
  return pages.flatMap((page) => [
    ...problems(page, page.links, (target) => brokenLink(root, page, target) ?? missingAnchor(page, target, anchors)),
    ...problems(page, page.commands, (words) => unknownScript(words, new Set(Object.keys(scripts)))),
    ...problems(page, page.codes, (code) => missingPath(root, page, code)),
  ])
}

async function readPages(root: string): Promise<Page[]> {
  const folders = await packageFolders(root)
  const files = (await filesUnder(root)).filter((file) => file.endsWith('.md') && !file.includes('/fixtures/'))
  return Promise.all(
    files.map(async (file) => ({
      file,
      folder: posix.dirname(file),
      home: packageOf(file, folders) ?? '',
      ...readMarkdown(await readFile(join(root, file), 'utf8')),
    })),
  )
}

function problems({ file }: Page, pieces: Piece[], judge: (text: string) => string | undefined): Problem[] {
  return pieces.flatMap(({ text, line }) => {
    const message = judge(text)
    return message ? [{ file, line, message }] : []
  })
}

function brokenLink(root: string, page: Page, target: string): string | undefined {
  if (/^[a-z][a-z+.-]*:/i.test(target)) return undefined
  const file = linkedFile(page, target)
  return file.startsWith('..') || !existsSync(join(root, file)) ? `the link ${target} leads nowhere` : undefined
}

function missingAnchor(page: Page, target: string, anchors: Map<string, Set<string>>): string | undefined {
  const [, anchor] = target.split('#')
  const known = anchors.get(linkedFile(page, target))
  if (anchor === undefined || !known || known.has(anchor)) return undefined
  return `the link ${target}: ${linkedFile(page, target)} has no heading #${anchor}`
}

function linkedFile({ file, folder }: Page, target: string): string {
  const [path = ''] = target.split('#')
  return path === '' ? file : posix.normalize(posix.join(folder, decodeURI(path)))
}

function unknownScript(words: string, scripts: Set<string>): string | undefined {
  const given = words.split(' ')
  // `pnpm --filter x test` runs a script of another package, which is not judged here.
  if (given.some((word) => word === '--filter' || word === '-r' || word === '-C')) return undefined
  const [first = '', second = ''] = given.filter((word) => !word.startsWith('-'))
  const script = first === 'run' ? second : first
  if (script === '' || scripts.has(script) || PNPM_COMMANDS.has(script) || /[<…]/.test(script)) return undefined
  return `\`pnpm ${script}\`: package.json has no script "${script}"`
}

function missingPath(root: string, { folder, home }: Page, code: string): string | undefined {
  if (!CODE_FOLDERS.test(code) || /[\s<>*{}$|,:…]/.test(code) || MADE.test(code)) return undefined
  const path = code.replace(/#.*$/, '')
  const places = [folder, home, ''].map((place) => join(root, place, path))
  return places.some((place) => existsSync(place)) ? undefined : `\`${code}\`: there is no such path`
}
