#ifndef PP_WATCH_H
#define PP_WATCH_H

/* Reports of poll(2) and epoll(7), whose numbers agree, as bits for JavaScript: 1 readable, 2 hang-up, 4 error. */
unsigned pp_poll_bits(unsigned events);

#endif
