import * as z from 'zod'
import { createSafeValidator, createValidator } from '@dot-do/worker-schemas'
import { ImportedLine } from './db.ts'
import { selection } from './search.ts'
import { namespace, typeName } from './thing.ts'

/** A thing or a relationship as a line of an export says it. */
export type ExportedLine = z.output<typeof ImportedLine>

/** Parses what is asked of an export, for a route that no contract has; throws INVALID. */
export const parseExportInput = createValidator(z.object({ ns: namespace.optional(), id: selection.id, type: typeName.optional() }))

/** Says whether a line is a thing or a relationship. */
export const validateLine = createSafeValidator(ImportedLine)
