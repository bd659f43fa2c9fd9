import { load, type Stretch } from './load.ts'

// The load generator as a process of its own: each message is a stretch of load, each answer its outcome. It ends with its parent.
process.on('message', (stretch: Stretch) => {
  load(stretch).then(
    (outcome) => process.send?.({ outcome }),
    (error: unknown) => process.send?.({ failed: error instanceof Error ? error.message : String(error) }),
  )
})
process.on('disconnect', () => process.exit())
// Ctrl-C reaches every process of a terminal; when to end is the parent's matter.
process.on('SIGINT', () => {})
