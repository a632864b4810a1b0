// What people do with @supabase/postgrest-js.
import assert from 'node:assert/strict'
import test from 'node:test'
import { PostgrestClient } from '@supabase/postgrest-js'

const blog = new PostgrestClient(process.env.BLOG_URL)

// What a request answers, if it is no error.
async function answered(request) {
  const answer = await request
  assert.equal(answer.error, null)
  return answer
}

async function data(request) {
  return (await answered(request)).data
}

async function error(request) {
  const answer = await request
  assert.equal(answer.data, null)
  assert.deepEqual(Object.keys(answer.error).filter((key) => key !== 'name').sort(), ['code', 'details', 'hint', 'message'])
  return { status: answer.status, statusText: answer.statusText, code: answer.error.code, ...answer.error }
}

test('select: all columns, and some under another name', async () => {
  assert.deepEqual(await data(blog.from('authors').select().eq('id', 1)), [
    {
      id: 1,
      name: 'Ada',
      email: 'ada@example.com',
      born: '1815-12-10',
      active: true,
      settings: { theme: { name: 'dark', size: 12 }, tags: ['x', 'y'] },
    },
  ])
  assert.deepEqual(await data(blog.from('posts').select('heading:title, views').eq('id', 3)), [
    { heading: 'The Compiler', views: 120 },
  ])
})

test('filters: comparisons, patterns, lists, null, and not', async () => {
  const titles = async (filter) => (await data(filter(blog.from('posts').select('id')).order('id'))).map((row) => row.id)
  assert.deepEqual(await titles((posts) => posts.gt('views', 20).lte('views', 120)), [3, 4])
  assert.deepEqual(await titles((posts) => posts.neq('author_id', 1)), [3, 4, 5])
  assert.deepEqual(await titles((posts) => posts.like('title', 'Po%')), [2])
  assert.deepEqual(await titles((posts) => posts.like('title', 'po%')), [])
  assert.deepEqual(await titles((posts) => posts.ilike('title', '%ON%')), [1, 4, 5])
  assert.deepEqual(await titles((posts) => posts.in('title', ['The Compiler', 'Nanoseconds, 100% real'])), [3, 4])
  assert.deepEqual(await titles((posts) => posts.is('published_at', null)), [2, 5])
  assert.deepEqual(await titles((posts) => posts.not('published_at', 'is', null).gte('published_at', '1900-01-01')), [3, 4])
  assert.deepEqual(await titles((posts) => posts.or('views.eq.0,and(author_id.eq.1,rating.gt.4)')), [1, 5])
  assert.deepEqual(await titles((posts) => posts.match({ author_id: 2, views: 80 })), [4])
  assert.deepEqual(await titles((posts) => posts.likeAnyOf('title', ['Notes%', 'On%'])), [1, 5])
  assert.deepEqual(await titles((posts) => posts.regexMatch('title', '^(On|The) ')), [3, 5])
})

test('JSON: select, filter and order by a path', async () => {
  assert.deepEqual(
    await data(blog.from('authors').select('theme:settings->theme->>name').not('settings', 'is', null).order('settings->theme->size', { ascending: false })),
    [{ theme: 'light' }, { theme: 'dark' }],
  )
  assert.deepEqual(await data(blog.from('authors').select('name').eq('settings->theme->>name', 'dark')), [{ name: 'Ada' }])
})

test('casts and aggregates', async () => {
  assert.deepEqual(await data(blog.from('posts').select('views::text').eq('id', 1)), [{ views: '300' }])
  assert.deepEqual(await data(blog.from('posts').select('views.sum(), rated:rating.count()').single()), { sum: 520, rated: 3 })
  assert.deepEqual(await data(blog.from('authors').select('name, posts(count)').order('id').limit(1)), [
    { name: 'Ada', posts: [{ count: 2 }] },
  ])
})

test('order, and where the nulls go', async () => {
  const ids = async (...order) => (await data(blog.from('posts').select('id').order(...order).order('id'))).map((row) => row.id)
  assert.deepEqual(await ids('rating'), [4, 1, 3, 2, 5])
  assert.deepEqual(await ids('rating', { ascending: false }), [2, 5, 3, 1, 4])
  assert.deepEqual(await ids('rating', { ascending: false, nullsFirst: false }), [3, 1, 4, 2, 5])
})

test('pages and counts', async () => {
  const page = await answered(blog.from('posts').select('id', { count: 'exact' }).order('id').range(1, 2))
  assert.deepEqual([page.status, page.statusText, page.count], [206, 'Partial Content', 5])
  assert.deepEqual(page.data, [{ id: 2 }, { id: 3 }])
  const all = await answered(blog.from('posts').select('*', { count: 'exact', head: true }).gt('views', 0))
  assert.deepEqual([all.status, all.count, all.data], [200, 4, null])
  const past = await error(blog.from('posts').select('id', { count: 'exact' }).range(100, 109))
  assert.deepEqual([past.status, past.code], [416, 'PGRST103'])
})

test('single and maybeSingle', async () => {
  assert.deepEqual(await data(blog.from('tags').select('label').eq('id', 1).single()), { label: 'science' })
  assert.equal(await data(blog.from('tags').select('label').eq('id', 99).maybeSingle()), null)
  const none = await error(blog.from('tags').select().eq('id', 99).single())
  assert.deepEqual(
    [none.status, none.statusText, none.code, none.message, none.details],
    [406, 'Not Acceptable', 'PGRST116', 'Cannot coerce the result to a single JSON object', 'The result contains 0 rows'],
  )
})

test('embedding: every kind of relationship, both ways', async () => {
  assert.deepEqual(await data(blog.from('posts').select('title, authors(name)').eq('id', 1).single()), {
    title: 'Notes on the Engine',
    authors: { name: 'Ada' },
  })
  assert.deepEqual(await data(blog.from('authors').select('name, posts(id)').order('id').order('id', { referencedTable: 'posts' })), [
    { name: 'Ada', posts: [{ id: 1 }, { id: 2 }] },
    { name: 'Grace', posts: [{ id: 3 }, { id: 4 }] },
    { name: 'Anonymous', posts: [{ id: 5 }] },
  ])
  assert.deepEqual(await data(blog.from('authors').select('name, about:profiles(bio)').order('id', { ascending: false }).limit(2)), [
    { name: 'Anonymous', about: null },
    { name: 'Grace', about: { bio: 'Wrote the first compiler.' } },
  ])
  assert.deepEqual(await data(blog.from('posts').select('id, tags(label)').order('id').order('label', { referencedTable: 'tags' })), [
    { id: 1, tags: [{ label: 'machines' }, { label: 'science' }] },
    { id: 2, tags: [{ label: 'poetry' }, { label: 'science' }] },
    { id: 3, tags: [{ label: 'machines' }] },
    { id: 4, tags: [] },
    { id: 5, tags: [] },
  ])
  assert.deepEqual(await data(blog.from('tags').select('label, posts(title, ...authors(by:name))').eq('label', 'poetry').single()), {
    label: 'poetry',
    posts: [{ title: 'Poetical Science', by: 'Ada' }],
  })
})

test('embedding: filters, limits and inner joins', async () => {
  assert.deepEqual(await data(blog.from('authors').select('name, posts(id)').gt('posts.views', 100).order('id')), [
    { name: 'Ada', posts: [{ id: 1 }] },
    { name: 'Grace', posts: [{ id: 3 }] },
    { name: 'Anonymous', posts: [] },
  ])
  const inner = await answered(
    blog.from('authors').select('name, posts!inner(id)', { count: 'exact' }).gt('posts.views', 100).order('name', { ascending: false }),
  )
  assert.deepEqual([inner.count, inner.data], [2, [
    { name: 'Grace', posts: [{ id: 3 }] },
    { name: 'Ada', posts: [{ id: 1 }] },
  ]])
  assert.deepEqual(
    await data(blog.from('authors').select('posts(views)').order('views', { referencedTable: 'posts', ascending: false }).limit(1, { referencedTable: 'posts' }).eq('id', 2).single()),
    { posts: [{ views: 120 }] },
  )
  assert.deepEqual(await data(blog.from('authors').select('name, profiles()').is('profiles', null)), [{ name: 'Anonymous' }])
  assert.deepEqual(await data(blog.from('posts').select('id, authors(name)').order('authors(name)', { ascending: false }).order('id').limit(2)), [
    { id: 3, authors: { name: 'Grace' } },
    { id: 4, authors: { name: 'Grace' } },
  ])
})

test('insert: one, many, with what was stored or without', async () => {
  const silent = await answered(blog.from('tags').insert({ label: 'silent' }))
  assert.deepEqual([silent.status, silent.statusText, silent.data], [201, 'Created', null])
  const rows = await answered(blog.from('tags').insert([{ label: 'a' }, { label: 'b' }], { count: 'exact' }).select('label'))
  assert.deepEqual([rows.status, rows.count, rows.data], [201, 2, [{ label: 'a' }, { label: 'b' }]])
  assert.deepEqual(
    await data(blog.from('posts').insert({ author_id: 1, title: 'New' }).select('title, views, authors(name)').single()),
    { title: 'New', views: 0, authors: { name: 'Ada' } },
  )
  assert.deepEqual(
    await data(blog.from('posts').insert([{ author_id: 2, title: 'Short' }, { author_id: 2, title: 'Long', views: 7 }], { defaultToNull: false }).select('title, views')),
    [{ title: 'Short', views: 0 }, { title: 'Long', views: 7 }],
  )
})

test('update', async () => {
  const { id } = await data(blog.from('authors').insert({ name: 'Edsger' }).select('id').single())
  const silent = await answered(blog.from('authors').update({ born: '1930-05-11' }).eq('id', id))
  assert.deepEqual([silent.status, silent.data], [204, null])
  assert.deepEqual(await data(blog.from('authors').update({ active: false, settings: { x: [1, null] } }).eq('id', id).select('name, born, active, settings')), [
    { name: 'Edsger', born: '1930-05-11', active: false, settings: { x: [1, null] } },
  ])
  const counted = await answered(blog.from('authors').update({ active: true }, { count: 'exact' }).eq('id', id))
  assert.equal(counted.count, 1)
})

test('upsert: by primary key, by a unique column, and leaving what is there', async () => {
  const [stored] = await data(blog.from('tags').upsert({ label: 'upserted' }, { onConflict: 'label' }).select())
  assert.deepEqual(await data(blog.from('tags').upsert({ id: stored.id, label: 'renamed' }).select()), [{ id: stored.id, label: 'renamed' }])
  const kept = await answered(
    blog.from('tags').upsert([{ label: 'renamed' }, { label: 'fresh' }], { onConflict: 'label', ignoreDuplicates: true }).select('label'),
  )
  assert.deepEqual(kept.data, [{ label: 'fresh' }])
})

test('delete', async () => {
  const { id } = await data(blog.from('tags').insert({ label: 'doomed' }).select('id').single())
  assert.deepEqual(await data(blog.from('tags').delete().eq('id', id).select('label')), [{ label: 'doomed' }])
  const again = await answered(blog.from('tags').delete({ count: 'exact' }).eq('id', id))
  assert.deepEqual([again.status, again.count], [204, 0])
})

test('a write that touches too many rows is taken back', async () => {
  const many = await error(blog.from('posts').update({ views: 1 }).gte('id', 1).maxAffected(1).select())
  assert.deepEqual([many.status, many.code], [400, 'PGRST124'])
  assert.equal((await data(blog.from('posts').select('views').eq('id', 1).single())).views, 300)
})

test('csv', async () => {
  assert.equal(await data(blog.from('tags').select('id, label').lte('id', 2).order('id').csv()), 'id,label\n1,science\n2,machines')
})

test('errors say what happened', async () => {
  const twice = await error(blog.from('tags').insert({ label: 'science' }))
  assert.deepEqual(
    [twice.status, twice.statusText, twice.code, twice.message, twice.details, twice.hint],
    [409, 'Conflict', '23505', 'duplicate key value violates unique constraint "tags_label_key"', 'Key (label)=(science) already exists.', null],
  )
  const orphan = await error(blog.from('posts').insert({ author_id: 99, title: 'Whose?' }))
  assert.deepEqual([orphan.status, orphan.code], [409, '23503'])
  const empty = await error(blog.from('posts').insert({ author_id: 1 }))
  assert.deepEqual([empty.status, empty.code], [400, '23502'])
  const table = await error(blog.from('missing').select())
  assert.deepEqual(
    [table.status, table.code, table.message],
    [404, 'PGRST205', "Could not find the table 'public.missing' in the schema cache"],
  )
  const column = await error(blog.from('posts').select('missing'))
  assert.deepEqual([column.status, column.code, column.message], [400, '42703', 'column posts.missing does not exist'])
  const relationship = await error(blog.from('tags').select('*, profiles(*)'))
  assert.deepEqual([relationship.status, relationship.code], [400, 'PGRST200'])
  const value = await error(blog.from('posts').select().eq('views', 'many'))
  assert.deepEqual([value.status, value.code], [400, '22P02'])
})

test('a schema is named', async () => {
  assert.deepEqual(await data(blog.schema('public').from('tags').select('label').eq('id', 1)), [{ label: 'science' }])
  const unknown = await error(blog.schema('secret').from('tags').select())
  assert.deepEqual([unknown.status, unknown.code], [406, 'PGRST106'])
})

test('rpc', { skip: !process.env.BLOG_FUNCTIONS && 'a database without functions' }, async () => {
  assert.equal(await data(blog.rpc('add', { a: 2, b: 3 })), 5)
  assert.equal(await data(blog.rpc('add', { a: 2, b: 3 }, { get: true })), 5)
  assert.deepEqual(await data(blog.rpc('popular', { minimum: 100 }).select('title, authors(name)').order('views').limit(1)), [
    { title: 'The Compiler', authors: { name: 'Grace' } },
  ])
  const counted = await answered(blog.rpc('popular', { minimum: 50 }, { head: true, count: 'exact' }))
  assert.equal(counted.count, 3)
  const silent = await answered(blog.rpc('rename_author', { author: 3, called: 'Nobody' }))
  assert.deepEqual([silent.status, silent.data], [204, null])
  assert.deepEqual(await data(blog.from('authors').select('name').eq('id', 3).single()), { name: 'Nobody' })
  const missing = await error(blog.rpc('popular', { most: 1 }))
  assert.deepEqual([missing.status, missing.code], [404, 'PGRST202'])
})
