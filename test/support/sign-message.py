"""Signs requests by RFC 9421 with the standard library and openssl, as a client that shares no code with the agent.

Reads JSON from stdin: {url, method, body, keyId, secret | privateKeyFile, nonce?, created?, authority?,
idempotencyKey?, sentKey?}, sends the
request as often as `times` says, each time the very same, and prints a line of JSON for each answer: [status, body].
"""
import base64, hashlib, hmac, json, os, subprocess, sys, tempfile, time, urllib.error, urllib.parse, urllib.request

asked = json.load(sys.stdin)
url = urllib.parse.urlsplit(asked['url'])
method = asked.get('method', 'POST')
body = asked['body'].encode() if 'body' in asked else None
components = {
    '@method': method,
    '@authority': asked.get('authority', url.netloc),
    '@path': url.path,
    '@query': '?' + url.query,
}
headers = {}
if body is not None:
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    components['content-digest'] = headers['Content-Digest'] = f'sha-256=:{digest}:'
    headers['Content-Type'] = 'application/json'
if 'idempotencyKey' in asked:
    components['idempotency-key'] = headers['Idempotency-Key'] = asked['idempotencyKey']
names = ' '.join(f'"{name}"' for name in components)
created = asked.get('created', int(time.time()))
nonce = asked.get('nonce', os.urandom(16).hex())
params = f'({names});created={created};nonce="{nonce}";keyid="{asked["keyId"]}";tag="newdt-auto"'
lines = [f'"{name}": {value}' for name, value in components.items()]
base = '\n'.join([*lines, f'"@signature-params": {params}']).encode()
if 'secret' in asked:
    signature = hmac.new(asked['secret'].encode(), base, 'sha256').digest()
else:
    with tempfile.NamedTemporaryFile() as file:
        file.write(base)
        file.flush()
        command = ['openssl', 'pkeyutl', '-sign', '-rawin', '-inkey', asked['privateKeyFile'], '-in', file.name]
        signature = subprocess.run(command, check=True, capture_output=True).stdout
headers['Signature-Input'] = f'mine={params}'
headers['Signature'] = f'mine=:{base64.b64encode(signature).decode()}:'
if 'sentKey' in asked:
    headers.pop('Idempotency-Key', None)
    if asked['sentKey'] is not None:
        headers['Idempotency-Key'] = asked['sentKey']
sent = asked.get('sentBody', asked.get('body'))
for _ in range(asked.get('times', 1)):
    request = urllib.request.Request(asked['url'], sent and sent.encode(), headers, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            print(json.dumps([answer.status, json.load(answer)]))
    except urllib.error.HTTPError as error:
        print(json.dumps([error.code, json.load(error)]))
