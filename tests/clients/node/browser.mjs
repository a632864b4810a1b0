// @supabase/postgrest-js in a page of another origin: what a browser lets it ask, and see.
import assert from 'node:assert/strict'
import test from 'node:test'
import { PostgrestClient } from '@supabase/postgrest-js'

const SIMPLE = new Set(['accept', 'accept-language', 'content-language'])
const SEEN = ['cache-control', 'content-language', 'content-length', 'content-type', 'expires', 'last-modified', 'pragma']

// fetch() as a browser does it for a page of an origin: it asks first, and hides the headers that are not exposed.
function fetchFrom(origin) {
  return async (url, options = {}) => {
    const { method = 'GET' } = options
    const sent = new Headers(options.headers)
    const asked = [...sent.keys()].filter((name) => !SIMPLE.has(name))
    if (asked.length || !['GET', 'HEAD', 'POST'].includes(method)) {
      const headers = { Origin: origin, 'Access-Control-Request-Method': method, 'Access-Control-Request-Headers': asked.join() }
      const preflight = await fetch(url, { method: 'OPTIONS', headers })
      const listed = (name) => (preflight.headers.get(name) ?? '').split(',').map((item) => item.trim().toLowerCase())
      const allowed = listed('access-control-allow-headers')
      const isAllowed =
        preflight.ok &&
        ['*', origin].includes(preflight.headers.get('access-control-allow-origin')) &&
        listed('access-control-allow-methods').includes(method.toLowerCase()) &&
        asked.every((name) => allowed.includes(name) || allowed.includes('*'))
      if (!isAllowed) throw new TypeError('Failed to fetch')
    }
    sent.set('Origin', origin)
    const answer = await fetch(url, { ...options, headers: sent })
    if (!['*', origin].includes(answer.headers.get('access-control-allow-origin'))) throw new TypeError('Failed to fetch')
    const exposed = (answer.headers.get('access-control-expose-headers') ?? '').toLowerCase().split(/, */)
    const { status, statusText } = answer
    const headers = [...answer.headers].filter(([name]) => SEEN.includes(name) || exposed.includes(name))
    return new Response([204, 304].includes(status) ? null : await answer.text(), { status, statusText, headers })
  }
}

test('a page of this machine reads and writes, and sees how many there are', async () => {
  const blog = new PostgrestClient(process.env.BLOG_URL, { fetch: fetchFrom('http://localhost:5173') })
  const { data, count, error } = await blog.from('posts').select('id', { count: 'exact' }).order('id').range(0, 1)
  assert.deepEqual([error, count, data], [null, 5, [{ id: 1 }, { id: 2 }]])
  const changed = await blog.from('posts').update({ views: 301 }).eq('id', 1).select('views').single()
  assert.deepEqual([changed.error, changed.data], [null, { views: 301 }])
  const twice = await blog.from('tags').insert({ label: 'science' })
  assert.deepEqual([twice.status, twice.error.code], [409, '23505'])
  const gone = await blog.from('profiles').delete().eq('author_id', 2)
  assert.deepEqual([gone.status, gone.error], [204, null])
})

test('a page of elsewhere does not', async () => {
  const blog = new PostgrestClient(process.env.BLOG_URL, { fetch: fetchFrom('https://elsewhere.example') })
  const { error } = await blog.from('posts').update({ views: 0 }).eq('id', 2)
  assert.match(error.message, /Failed to fetch/)
  const { data } = await new PostgrestClient(process.env.BLOG_URL).from('posts').select('views').eq('id', 2).single()
  assert.deepEqual(data, { views: 20 })
})
