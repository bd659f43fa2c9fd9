import type { Step } from './openapi.test.ts'

const hello = { service: 'hello' }
const script = (text: string) => Buffer.from(`export default { fetch: () => new Response('${text}') }`).toString('base64')
const made = { id: '$steps.deploy-deploy-1.outputs.id' }

/** Every operation of deploy and dispatcher, and refusals of each kind. */
export const PUBLISHING_STEPS: Step[] = [
  { operation: 'deploy_deploy', status: 201, body: { ...hello, script: script('one'), metadata: { commit: 'abc' } }, keeps: '/data/deployment/id' },
  { operation: 'deploy_deploy', status: 201, body: { ...hello, script: script('two'), vars: { A: 1 } } },
  { operation: 'deploy_deploy', status: 201, body: { ...hello, script: script('three'), activate: false } },
  { operation: 'deploy_deploy', status: 400, body: { ...hello, script: 'not base64' } },
  { operation: 'deploy_deploy', status: 400, body: { service: 'gateway', script: script('mine') } },
  { operation: 'deploy_deploy', status: 401, body: { ...hello, script: script('mine') }, stranger: true },
  { operation: 'deploy_canary', status: 200, body: { ...hello, version: 3, percent: 10, abortOn: { errorRate: 0.1 } } },
  { operation: 'deploy_canary', status: 404, body: { ...hello, version: 99, percent: 10 } },
  { operation: 'deploy_rollback', status: 200, body: hello },
  { operation: 'deploy_rollback', status: 404, body: { ...hello, to: 99 } },
  { operation: 'deploy_promote', status: 200, body: { ...hello, from: 'production', environment: 'staging' } },
  { operation: 'deploy_getWorker', status: 200, parameters: hello },
  { operation: 'deploy_getWorker', status: 404, parameters: { service: 'nobody-here' } },
  { operation: 'deploy_listDeployments', status: 200, parameters: { ...hello, limit: 2 } },
  { operation: 'deploy_getDeployment', status: 200, parameters: made },
  { operation: 'deploy_listVersions', status: 200, parameters: { ...hello, limit: 1 } },
  { operation: 'deploy_diff', status: 200, parameters: { ...hello, from: 1, to: 2 } },
  { operation: 'deploy_diff', status: 404, parameters: { ...hello, from: 1, to: 99 } },
  { operation: 'deploy_setSecret', status: 200, parameters: { name: 'TOKEN' }, body: { ...hello, value: 'hunter2' } },
  { operation: 'deploy_listSecrets', status: 200, parameters: hello },
  { operation: 'deploy_removeSecret', status: 200, parameters: { ...hello, name: 'TOKEN' } },
  { operation: 'deploy_addDomain', status: 201, body: { ...hello, host: 'shop.example.com' } },
  { operation: 'deploy_addDomain', status: 400, body: { ...hello, host: '*.example.com' } },
  { operation: 'deploy_listDomains', status: 200 },
  { operation: 'deploy_verifyDomain', status: 409, parameters: { host: 'shop.example.com' }, body: {} },
  { operation: 'deploy_removeDomain', status: 200, parameters: { host: 'shop.example.com' } },
  { operation: 'deploy_unpublish', status: 200, parameters: hello },
  { operation: 'deploy_health', status: 200, stranger: true },
  { operation: 'dispatcher_resolve', status: 200, parameters: { url: 'v1.hello.do' } },
  { operation: 'dispatcher_setTenant', status: 200, parameters: { tenant: 'acme' }, body: { plan: 'plus', outbound: ['*.example.com'] } },
  { operation: 'dispatcher_setTenant', status: 400, parameters: { tenant: 'acme' }, body: { plan: 'gold' } },
  { operation: 'dispatcher_getTenant', status: 200, parameters: { tenant: 'acme' } },
  { operation: 'dispatcher_health', status: 200, stranger: true },
]
