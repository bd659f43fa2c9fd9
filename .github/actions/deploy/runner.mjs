// The runner's side of an action: what it hides, is told, and shows.
// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
import { randomUUID } from 'node:crypto'
import { appendFile } from 'node:fs/promises'

/** Keeps a value out of the log from here on. */
export function hide(value) {
  for (const line of value.split(/\r?\n/)) if (line) console.log(`::add-mask::${escaped(line)}`)
}

/** Shows an error where the runner shows errors. */
export function showError(message) {
  console.log(`::error title=deploy.do::${escaped(message)}`)
}

/** Sets outputs; a value with line breaks stays one value, since no one can guess what ends it. */
export async function setOutputs({ GITHUB_OUTPUT: file }, outputs) {
  if (!file) return
  const end = randomUUID()
  const lines = Object.entries(outputs).map(([name, value]) => `${name}<<${end}\n${value ?? ''}\n${end}\n`)
  await appendFile(file, lines.join(''))
}

/** Adds what was published to the page of the run. */
export async function addSummary({ GITHUB_STEP_SUMMARY: file }, { deployment = {}, version, url, previewUrl }) {
  if (!file) return
  const rows = [
    ['Worker', deployment.tenant && deployment.tenant !== 'default' ? `${deployment.tenant}/${deployment.service}` : deployment.service],
    ['Environment', deployment.environment],
    ['Version', version],
    ['Status', deployment.status],
    ['URL', url],
    ['Preview', previewUrl],
    ['Deployment', deployment.id],
  ]
  const shown = rows.filter(([, value]) => value !== undefined && value !== null)
  const table = shown.map(([name, value]) => `| ${name} | ${cell(value)} |`)
  await appendFile(file, ['### Published on deploy.do', '', '|  |  |', '| --- | --- |', ...table, '', ''].join('\n'))
}

function escaped(text) {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

/** A value as a cell of a Markdown table: it can end neither the cell nor the line, and is no markup. */
function cell(value) {
  return String(value)
    .replaceAll(/[\r\n]+/g, ' ')
    .replaceAll(/[\\|<>[\]`*]/g, (mark) => `\\${mark}`)
}
