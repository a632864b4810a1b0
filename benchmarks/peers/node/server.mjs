// Node's Fastify with postgres.js, written by hand for speed: one process, JSON built by PostgreSQL for lists.
import Fastify from 'fastify'
import postgres from 'postgres'

const sql = postgres({ onnotice: () => {} }) // where to: PGHOST, PGUSER, PGDATABASE; ten connections
const app = Fastify()

const userSchema = {
  type: 'object',
  properties: { id: { type: 'integer' }, name: { type: 'string' } },
}
const createSchema = {
  type: 'object',
  required: ['name'],
  properties: { name: { type: 'string' } },
}

app.get('/users/', async (request, reply) => {
  const [{ users }] = await sql`
    select coalesce(json_agg(u), '[]')::text as users
    from (select id, name from users where id > ${Number(request.query.above)} order by id) u`
  return reply.type('application/json').send(users)
})

app.get('/users/:id', { schema: { response: { 200: userSchema } } }, async (request, reply) => {
  const [user] = await sql`select id, name from users where id = ${Number(request.params.id)}`
  return user ?? reply.code(404).send({ detail: 'User not found' })
})

app.post('/users/', { schema: { body: createSchema, response: { 201: userSchema } } }, async (request, reply) => {
  const [user] = await sql`insert into users (name) values (${request.body.name}) returning id, name`
  return reply.code(201).send(user)
})

app.get('/health', async () => 'ok')

await sql`create table if not exists users (id serial primary key, name text not null)`
await app.listen({ host: '127.0.0.1', port: Number(process.argv[2]) })
