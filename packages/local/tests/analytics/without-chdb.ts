import { registerHooks } from 'node:module'

// Loaded before a program (`--import`), it leaves the program as it is on a machine for which there is no chdb.
registerHooks({
  resolve(specifier, context, next) {
    if (!/^@?chdb(\/|$)/.test(specifier)) return next(specifier, context)
    throw Object.assign(new Error(`Cannot find package '${specifier}'`), { code: 'ERR_MODULE_NOT_FOUND' })
  },
})
