// What Refine asks of its data provider for Supabase, @refinedev/supabase.
import assert from 'node:assert/strict'
import test from 'node:test'
import { dataProvider } from '@refinedev/supabase'
import { createClient } from '@supabase/supabase-js'

// It wants a WebSocket for the parts that are not used here, which Node has since version 22.
const realtime = { transport: class {} }
const provider = dataProvider(createClient(process.env.BLOG_URL.replace(/\/rest\/v1$/, ''), 'anonymous', { realtime }))

test('getList: a page, its total, filters, sorters and an embed', async () => {
  const { data, total } = await provider.getList({
    resource: 'posts',
    pagination: { currentPage: 1, pageSize: 2 },
    sorters: [{ field: 'views', order: 'desc' }],
    filters: [
      { field: 'views', operator: 'gt', value: 0 },
      { field: 'title', operator: 'contains', value: 'n' },
    ],
    meta: { select: 'title, authors(name)' },
  })
  assert.equal(total, 3)
  assert.deepEqual(data, [
    { title: 'Notes on the Engine', authors: { name: 'Ada' } },
    { title: 'Nanoseconds, 100% real', authors: { name: 'Grace' } },
  ])
  const either = await provider.getList({
    resource: 'posts',
    filters: [
      {
        operator: 'or',
        value: [
          { field: 'views', operator: 'eq', value: 0 },
          { field: 'title', operator: 'contains', value: 'Nanoseconds, 100' },
        ],
      },
    ],
  })
  assert.deepEqual(either.data.map((row) => row.id), [4, 5])
  const unrated = await provider.getList({ resource: 'posts', filters: [{ field: 'rating', operator: 'null', value: true }] })
  assert.equal(unrated.total, 2)
})

test('getOne and getMany', async () => {
  assert.deepEqual((await provider.getOne({ resource: 'tags', id: 2 })).data, { id: 2, label: 'machines' })
  assert.deepEqual((await provider.getMany({ resource: 'tags', ids: [1, 3] })).data.map((row) => row.label), ['science', 'poetry'])
  const profile = await provider.getOne({ resource: 'profiles', id: 1, meta: { idColumnName: 'author_id', select: 'bio' } })
  assert.deepEqual(profile.data, { bio: 'Wrote the first program.' })
})

test('create, update and delete, one and many', async () => {
  const { data: created } = await provider.create({ resource: 'tags', variables: { label: 'refined' } })
  const { data: updated } = await provider.update({ resource: 'tags', id: created.id, variables: { label: 'refined again' } })
  assert.deepEqual(updated, { id: created.id, label: 'refined again' })
  await provider.deleteOne({ resource: 'tags', id: created.id })
  assert.deepEqual((await provider.getMany({ resource: 'tags', ids: [created.id] })).data, [])
  const { data: two } = await provider.createMany({ resource: 'tags', variables: [{ label: 'p' }, { label: 'q' }] })
  const ids = two.map((row) => row.id)
  assert.equal((await provider.updateMany({ resource: 'posts', ids: [1, 2], variables: { rating: 1.5 } })).data.length, 2)
  await provider.deleteMany({ resource: 'tags', ids })
  assert.deepEqual((await provider.getMany({ resource: 'tags', ids })).data, [])
})

test('an error is an error', async () => {
  await assert.rejects(provider.create({ resource: 'tags', variables: { label: 'poetry' } }), (error) => error.code === '23505')
})
