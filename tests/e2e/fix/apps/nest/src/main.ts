import "reflect-metadata";

import { Controller, Get, Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";

@Controller()
class Hello {
  @Get()
  hello(): string {
    return "hello from nest";
  }
}

@Module({ controllers: [Hello] })
class Application {}

async function main() {
  const application = await NestFactory.create(Application);
  await application.listen(Number(process.env.PORT ?? 3000));
}

main();
