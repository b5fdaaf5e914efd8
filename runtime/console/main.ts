import { h, render } from 'preact'
import { App } from './app.ts'
import { language } from './language.ts'
import { createRoute } from './route.ts'
import { createSignIn } from './sign-in/create-sign-in.ts'

document.documentElement.lang = language
const signIn = createSignIn()
void signIn.signInAgain()
render(h(App, { signIn, route: createRoute() }), document.body)
