import { existsSync, watch, type FSWatcher } from 'node:fs'
import { join } from 'node:path'

/** Editors write a file in several steps, and a checkout many files at once. */
const SETTLE_MS = 40

/** Watches folders, not what lies in folders within them. */
export interface FolderWatch {
  /** Watches these folders from now on, and no others; once closed, none. */
  follow(folders: string[]): void
  close(): void
}

/** Reports the files that changed, made or removed ones too, once nothing more changes for a moment. */
export function watchFolders(report: (changed: Set<string>) => void): FolderWatch {
  const watchers = new Map<string, FSWatcher>()
  let changed = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  let isClosed = false
  const flush = () => {
    const batch = changed
    changed = new Set()
    report(batch)
  }
  const open = (folder: string) => {
    const watcher = watch(folder, { persistent: false }, (_, file) => {
      if (file !== null) changed.add(join(folder, file))
      clearTimeout(timer)
      timer = setTimeout(flush, SETTLE_MS)
    })
    watcher.on('error', () => unfollow(folder))
    watchers.set(folder, watcher)
  }
  const unfollow = (folder: string) => {
    watchers.get(folder)?.close()
    watchers.delete(folder)
  }
  return {
    follow(folders) {
      if (isClosed) return
      for (const folder of watchers.keys()) if (!folders.includes(folder) || !existsSync(folder)) unfollow(folder)
      for (const folder of folders) if (!watchers.has(folder) && existsSync(folder)) open(folder)
    },
    close() {
      isClosed = true
      clearTimeout(timer)
      for (const folder of watchers.keys()) unfollow(folder)
    },
  }
}
