/** What of Node's hashes is used here, which workerd has as well; the types of Node would be about much that it has not. */
declare module 'node:crypto' {
  interface Hash {
    update(text: string): Hash
    digest(encoding: 'hex'): string
  }
  export function createHash(algorithm: 'sha256'): Hash
}
