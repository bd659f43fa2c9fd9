/// <reference types="@cloudflare/vitest-plugin/types" />

declare namespace Cloudflare {
  type TenantKv = import('../../src/rpc.ts').TenantKv
  type TenantBucket = import('../../src/rpc.ts').TenantBucket
  type AnyMethods = Record<string, (...args: unknown[]) => Promise<unknown>>

  interface Env {
    Pointers: DurableObjectNamespace<import('../../src/pointer.ts').Pointer>
    ACME_KV: Service<TenantKv>
    RIVAL_KV: Service<TenantKv>
    /** Bound without props. */
    NOBODYS_KV: Service<TenantKv>
    ACME_BUCKET: Service<TenantBucket>
    RIVAL_BUCKET: Service<TenantBucket>
    /** Bound with a tenant that is none. */
    NOBODYS_BUCKET: Service<TenantBucket>
    /** Bound without props. */
    NOBODYS_DB: AnyMethods
    /** Bound without an environment. */
    NOBODYS_SIBLING: AnyMethods
    /** The default export, as it stands between a tenant that may call `*.example.com` and the internet. */
    OUTBOUND: { fetch: typeof fetch }
  }
}
