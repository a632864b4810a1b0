// from() and rpc() of @supabase/supabase-js: the client of a whole platform, of which a database is one part.
import assert from 'node:assert/strict'
import test from 'node:test'
import { createClient } from '@supabase/supabase-js'

// It wants a WebSocket for the parts that are not used here, which Node has since version 22.
const realtime = { transport: class {} }
const supabase = createClient(process.env.BLOG_URL.replace(/\/rest\/v1$/, ''), 'anonymous', { realtime })

test('from: select with an embed, filtered and counted', async () => {
  const { data, error, count } = await supabase
    .from('authors')
    .select('name, posts!inner(title)', { count: 'exact' })
    .gte('posts.views', 100)
    .order('name')
  assert.equal(error, null)
  assert.equal(count, 2)
  assert.deepEqual(data, [
    { name: 'Ada', posts: [{ title: 'Notes on the Engine' }] },
    { name: 'Grace', posts: [{ title: 'The Compiler' }] },
  ])
})

test('from: a row comes, changes and goes', async () => {
  const added = await supabase.from('tags').insert({ label: 'short-lived' }).select().single()
  assert.equal(added.error, null)
  const { id } = added.data
  const changed = await supabase.from('tags').upsert({ id, label: 'longer-lived' }).select().single()
  assert.deepEqual([changed.error, changed.data], [null, { id, label: 'longer-lived' }])
  const gone = await supabase.from('tags').delete().eq('id', id)
  assert.deepEqual([gone.error, gone.status], [null, 204])
  assert.deepEqual((await supabase.from('tags').select().eq('id', id).maybeSingle()).data, null)
})

test('from: an error', async () => {
  const { data, error, status } = await supabase.from('tags').insert({ label: 'poetry' })
  assert.deepEqual([data, status, error.code], [null, 409, '23505'])
})

test('rpc', { skip: !process.env.BLOG_FUNCTIONS && 'a database without functions' }, async () => {
  const { data, error } = await supabase.rpc('popular', { minimum: 100 }).order('id').select('id')
  assert.deepEqual([error, data], [null, [{ id: 1 }, { id: 3 }]])
})
