interface Env {
  /** What everybody is told first. */
  GREETING: string
}

/** Greets whoever asks, by the name in the path. */
export default {
  fetch(request, env): Response {
    const name = decodeURIComponent(new URL(request.url).pathname.slice(1)) || 'world'
    return new Response(`${env.GREETING}, ${name}\n`)
  },
} satisfies ExportedHandler<Env>
