import { expect, it } from 'vitest'
import type { AssetConfig, DeliveredAssets } from '../../../src/cloudflare/runtime/protocol.ts'
import { matchAsset, servesAsset } from '../../../src/cloudflare/runtime/workerd/asset-routing.ts'

const FILES = ['/index.html', '/file.html', '/folder/index.html', '/folder/404.html', '/404.html', '/image.png', '/sp ace.html']

/** An option that is undefined is left to its default. */
function assets(options: { [Name in keyof AssetConfig]: AssetConfig[Name] | undefined }): DeliveredAssets {
  const config = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  return { config, files: Object.fromEntries(FILES.map((path) => [path, { hash: path }])) }
}

/** Cloudflare's own table: https://developers.cloudflare.com/workers/static-assets/routing/advanced/html-handling/ */
it.each<[AssetConfig['html_handling'], string, string]>([
  ['auto-trailing-slash', '/', '/index.html'],
  ['auto-trailing-slash', '/index.html', '→ /'],
  ['auto-trailing-slash', '/index', '→ /'],
  ['auto-trailing-slash', '/file', '/file.html'],
  ['auto-trailing-slash', '/file.html', '→ /file'],
  ['auto-trailing-slash', '/file/', '→ /file'],
  ['auto-trailing-slash', '/file/index', '→ /file'],
  ['auto-trailing-slash', '/folder/', '/folder/index.html'],
  ['auto-trailing-slash', '/folder', '→ /folder/'],
  ['auto-trailing-slash', '/folder.html', '→ /folder/'],
  ['auto-trailing-slash', '/folder/index.html', '→ /folder/'],
  ['auto-trailing-slash', '/sp%20ace', '/sp ace.html'],
  ['auto-trailing-slash', '/sp%20ace.html', '→ /sp%20ace'],
  ['force-trailing-slash', '/file', '→ /file/'],
  ['force-trailing-slash', '/file/', '/file.html'],
  ['force-trailing-slash', '/folder', '→ /folder/'],
  ['drop-trailing-slash', '/file/', '→ /file'],
  ['drop-trailing-slash', '/folder/', '→ /folder'],
  ['drop-trailing-slash', '/folder', '/folder/index.html'],
  ['none', '/file', 'nothing'],
  ['none', '/file.html', '/file.html'],
  ['none', '/', 'nothing'],
  ['auto-trailing-slash', '/image.png', '/image.png'],
  ['auto-trailing-slash', '/absent', 'nothing'],
  ['auto-trailing-slash', '/%E0%A4%A', 'nothing'],
  ['auto-trailing-slash', '/constructor', 'nothing'],
])('with %s, %s leads to %s', (html_handling, path, expected) => {
  const match = matchAsset(assets({ html_handling }), path)

  expect(match ? ('redirect' in match ? `→ ${match.redirect}` : match.path) : 'nothing').toBe(expected)
})

it.each<[AssetConfig['not_found_handling'], string, unknown]>([
  ['none', '/absent', undefined],
  ['404-page', '/absent', { path: '/404.html', status: 404 }],
  ['404-page', '/folder/deep/absent', { path: '/folder/404.html', status: 404 }],
  ['single-page-application', '/any/where', { path: '/index.html', status: 200 }],
])('with %s, what is not there at %s leads to %j', (not_found_handling, path, expected) => {
  expect(matchAsset(assets({ not_found_handling }), path)).toEqual(expected)
})

it.each<[AssetConfig['run_worker_first'], string, string, boolean]>([
  [undefined, 'GET', '/image.png', true],
  [undefined, 'HEAD', '/image.png', true],
  [undefined, 'POST', '/image.png', false],
  [undefined, 'GET', '/absent', false],
  [true, 'GET', '/image.png', false],
  [['/image*'], 'GET', '/image.png', false],
  [['/*', '!/image*'], 'GET', '/image.png', true],
])('with run_worker_first %j, the assets answer %s %s: %s', (run_worker_first, method, path, expected) => {
  const script = { mainModule: 'main.js', assets: assets({ run_worker_first }) }

  expect(servesAsset(script, { method, url: `http://a.example${path}` })).toBe(expected)
})
