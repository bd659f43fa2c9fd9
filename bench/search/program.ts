import { clearOnSignals } from '../leavings.ts'
import { searchAmongMany } from './search.ts'

// A program of its own, so that a database of a gigabyte is in nobody else's memory; it says its figures to whoever started it.
clearOnSignals()
const figures = await searchAmongMany(process.argv[2] ?? process.cwd())
if (process.send) process.send(figures)
else console.log(JSON.stringify(figures, null, 2))
process.disconnect?.()
