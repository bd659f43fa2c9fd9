/** What queue does in its own name, nobody having asked. */
export const OWN = { principal: { id: 'queue', permissions: ['queue:maintain'] } }
