/// <reference types="@cloudflare/vitest-plugin/types" />

declare namespace Cloudflare {
  type TenantKv = Methods<import('../../src/tenant-kv.ts').TenantValues>
  type TenantBucket = Methods<import('../../src/tenant-bucket.ts').TenantObjects>
  /** What a class shows by RPC. */
  type Methods<Class> = { [Name in keyof Class]: Class[Name] }
  type AnyMethods = Record<string, (...args: unknown[]) => Promise<unknown>>

  interface Env {
    /** The dispatcher as one who may do everything and speak for anybody. */
    DISPATCHER: import('@dot-do/worker-contracts/contract').Service<import('@dot-do/worker-contracts/dispatcher').Dispatcher>
    /** The same for one who may do nothing and speak for nobody. */
    UNTRUSTED: { fetch: typeof fetch }
    /** acme's worker `back`. */
    SIBLING: { fetch: typeof fetch; add(a: number, b: number): Promise<number> }
    INTERNET: { fetch: typeof fetch }
    Pointers: DurableObjectNamespace<import('../../src/pointer.ts').Pointer>
    ACME_KV: TenantKv
    RIVAL_KV: TenantKv
    /** Bound without props. */
    NOBODYS_KV: TenantKv
    ACME_BUCKET: TenantBucket
    RIVAL_BUCKET: TenantBucket
    /** Bound with a tenant that is none. */
    NOBODYS_BUCKET: TenantBucket
    /** Bound without props. */
    NOBODYS_DB: AnyMethods
    /** Bound without an environment. */
    NOBODYS_SIBLING: AnyMethods
    /** The default export, as it stands between a tenant that may call `*.example.com` and the internet. */
    OUTBOUND: { fetch: typeof fetch }
  }
}
