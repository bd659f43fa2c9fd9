import mapping from './worker-namespaces.json' with { type: 'json' }

/** The dispatch namespaces that published workers lie in, each once, sorted: by environment and by tier. */
export const NAMESPACES: readonly string[] = [...new Set([...Object.values(mapping.environment), ...Object.values(mapping.tier)])].sort()

if (import.meta.main) for (const namespace of NAMESPACES) console.log(namespace)
