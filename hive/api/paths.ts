/** Path of the console's login page; `?code=` signs in. */
export const LOGIN_PATH = "/login";
